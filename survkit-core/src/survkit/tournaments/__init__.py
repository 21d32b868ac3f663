"""Several compositions in one nested cross-validation with equal budget, compared afterwards."""

from __future__ import annotations

from survkit.tournaments.tournament import TournamentResult, tournament
from survkit.tournaments.tournament_file import TournamentFile

__all__ = ["TournamentFile", "TournamentResult", "tournament"]
