namespace LibvirtSharp;

/// <summary>How a volume's bytes are overwritten. Stands for C's <c>virStorageVolWipeAlgorithm</c>.</summary>
public enum VirStorageVolWipeAlgorithm
{
    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_ZERO</c>.</summary>
    Zero = 0,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_NNSA</c>.</summary>
    Nnsa = 1,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_DOD</c>.</summary>
    Dod = 2,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_BSI</c>.</summary>
    Bsi = 3,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_GUTMANN</c>.</summary>
    Gutmann = 4,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER</c>.</summary>
    Schneier = 5,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7</c>.</summary>
    Pfitzner7 = 6,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33</c>.</summary>
    Pfitzner33 = 7,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_RANDOM</c>.</summary>
    Random = 8,

    /// <summary><c>VIR_STORAGE_VOL_WIPE_ALG_TRIM</c>.</summary>
    Trim = 9,
}
