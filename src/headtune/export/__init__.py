"""After stage 7, a run folder to the formats of other tools, each read back and proved there."""

from headtune.export.export import Exported, export_run
from headtune.export.formats import FORMATS

__all__ = ["FORMATS", "Exported", "export_run"]
