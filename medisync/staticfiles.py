"""Files of the pages, as production serves them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django rewrites the imports of every script, if asked to; those of others are not ours to read.
IMPORTS_OF_OURS = (
    "js/*.js",
    (
        ("""(?P<matched>from "(?P<url>[.]/.*?)";)""", """from "%(url)s";"""),
        ("""(?P<matched>import "(?P<url>[.]/.*?)";)""", """import "%(url)s";"""),
    ),
)


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Each under a name that changes with its content, in the imports of our scripts as well: so
    browsers keep them for good."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, IMPORTS_OF_OURS)
