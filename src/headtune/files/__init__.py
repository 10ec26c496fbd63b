"""What touches the disk, once for everybody: writing aside and renaming, locks, hashes, JSON."""
