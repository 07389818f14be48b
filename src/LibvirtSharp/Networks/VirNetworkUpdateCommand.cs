namespace LibvirtSharp;

/// <summary>What to do with one element of a network. Stands for C's <c>virNetworkUpdateCommand</c>.</summary>
public enum VirNetworkUpdateCommand
{
    /// <summary><c>VIR_NETWORK_UPDATE_COMMAND_NONE</c>.</summary>
    None = 0,

    /// <summary><c>VIR_NETWORK_UPDATE_COMMAND_MODIFY</c>.</summary>
    Modify = 1,

    /// <summary><c>VIR_NETWORK_UPDATE_COMMAND_DELETE</c>.</summary>
    Delete = 2,

    /// <summary><c>VIR_NETWORK_UPDATE_COMMAND_ADD_LAST</c>.</summary>
    AddLast = 3,

    /// <summary><c>VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST</c>.</summary>
    AddFirst = 4,
}
