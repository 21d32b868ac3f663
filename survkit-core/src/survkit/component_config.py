"""A component as settings files name it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

ModalityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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


class EncoderConfig(ComponentConfig):
    """An encoder; every other key is one of its settings.

    Attributes:
        modality: Of the cohort, which the encoder reads; that of its own name where ``None``.
    """

    modality: ModalityName | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = write(self)
        return {key: data[key] for key in data if key != "modality" or data[key] is not None}
