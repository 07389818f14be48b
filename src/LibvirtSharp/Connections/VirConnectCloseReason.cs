namespace LibvirtSharp;

/// <summary>Why a connection is gone. Stands for C's <c>virConnectCloseReason</c>.</summary>
public enum VirConnectCloseReason
{
    /// <summary><c>VIR_CONNECT_CLOSE_REASON_ERROR</c>: an input or output error.</summary>
    Error = 0,

    /// <summary><c>VIR_CONNECT_CLOSE_REASON_EOF</c>: the daemon closed it, or died.</summary>
    Eof = 1,

    /// <summary><c>VIR_CONNECT_CLOSE_REASON_KEEPALIVE</c>: the daemon did not answer the keep-alive messages in time.</summary>
    Keepalive = 2,

    /// <summary><c>VIR_CONNECT_CLOSE_REASON_CLIENT</c>: this side asked for it.</summary>
    Client = 3,
}
