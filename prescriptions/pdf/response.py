from django.http import HttpResponse


def pdf_response(content: bytes, *, number: str) -> HttpResponse:
    """The sheet, to be shown in the browser and kept by nobody on the way."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="prescription-{number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
