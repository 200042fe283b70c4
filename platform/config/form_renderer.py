"""How forms are drawn: one that was not accepted takes the focus to its first problem, and none
cuts what is pasted into it."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm, BoundField, Widget
from django.forms import Field as FormField
from django.forms.renderers import DjangoTemplates


class Field(BoundField):
    """A field that knows whether it is the first thing to be put right."""

    def __init__(self, form: BaseForm, field: FormField, name: str) -> None:
        """Without `maxlength`: at it a browser drops the rest of what is pasted and says nothing,
        where the answer to the form says how much is too much and keeps all of it."""
        super().__init__(form, field, name)
        field.widget.attrs.pop("maxlength", None)

    @property
    def takes_focus(self) -> bool:
        """Whether the page begins here; problems of the whole form stand above its fields."""
        if not self.form.is_bound or not self.errors or self.form.non_field_errors():
            return False
        wrong = (field for field in self.form if field.errors and not field.is_hidden)
        return next(wrong, None) is self

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> Any:
        """Besides Django's own: autofocus, which needs no script. A group has it as a whole."""
        attrs = super().build_widget_attrs(attrs, widget)
        if self.takes_focus and not self.use_fieldset:
            attrs["autofocus"] = True
        return attrs


class Renderer(DjangoTemplates):
    """Django's own, with fields that take the focus."""

    bound_field_class = Field
