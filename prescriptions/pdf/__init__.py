"""The paper form of a prescription."""

from prescriptions.pdf.document import DocumentItem, PrescriptionDocument
from prescriptions.pdf.render import Paper, render_prescription_pdf

__all__ = ["DocumentItem", "Paper", "PrescriptionDocument", "render_prescription_pdf"]
