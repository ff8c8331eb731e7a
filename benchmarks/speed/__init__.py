"""Named problems, ours and peers in processes of their own: ``make bench``."""
