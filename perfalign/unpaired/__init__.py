"""Alignment when few pairs are known, or none (chapters 15 and 16).

Items of one view whose partner in the other is unknown, *singles*, are
matched by their latents, and the matches are fitted to as if they were pairs.
"""

from perfalign.unpaired._matches import Matches, mutual_matches

__all__ = ["Matches", "mutual_matches"]
