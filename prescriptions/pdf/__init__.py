"""The paper form of a prescription."""

from prescriptions.pdf.document import DocumentItem, Ending, PrescriptionDocument, SafetyNote
from prescriptions.pdf.render import PAPERS, Paper, render_prescription_pdf
from prescriptions.pdf.response import pdf_response

__all__ = [
    "PAPERS",
    "DocumentItem",
    "Ending",
    "Paper",
    "PrescriptionDocument",
    "SafetyNote",
    "pdf_response",
    "render_prescription_pdf",
]
