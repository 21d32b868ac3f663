"""A component as settings files name it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class ComponentConfig(BaseModel):
    """A component by registry name; every other key is one of its settings."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    use: str

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        return {"use": data} if isinstance(data, str) else data

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as written; the component's constructor is their schema."""
        return dict(self.__pydantic_extra__ or {})
