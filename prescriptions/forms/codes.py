"""What the page sends that makes another code and PIN."""

from __future__ import annotations

from django import forms


class CodeForm(forms.Form):
    """Which code it replaces, by when that one was made."""

    code_made_at = forms.DateTimeField(widget=forms.HiddenInput)
