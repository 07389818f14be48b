// One rig, which each class puts back to its snapshot.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
