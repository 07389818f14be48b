namespace LibvirtSharp;

/// <summary>Which of a domain's descriptive elements is meant. Stands for C's <c>virDomainMetadataType</c>.</summary>
public enum VirDomainMetadataType
{
    /// <summary><c>VIR_DOMAIN_METADATA_DESCRIPTION</c>: &lt;description&gt;.</summary>
    Description = 0,

    /// <summary><c>VIR_DOMAIN_METADATA_TITLE</c>: &lt;title&gt;; one line.</summary>
    Title = 1,

    /// <summary><c>VIR_DOMAIN_METADATA_ELEMENT</c>: an element of an application, in a namespace of its own, below
    /// &lt;metadata&gt;.</summary>
    Element = 2,
}
