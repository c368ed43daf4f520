"""What the law here calls things: categories of permits by their names, whose law judges and since when."""

from datetime import date

from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from wephone.protocol.messages import Model

routes = Routes()


class NamedCategory(Model):
    """A regulator's category: its own name, and in English."""

    code: str
    local: str
    en: str


class KnownProfile(Model):
    """One jurisdiction's law. `judges`: it may decide calls here."""

    code: str
    name: dict[str, str]
    version: str
    judges: bool
    as_of: date
    review_due: date
    categories: tuple[NamedCategory, ...]


class Lawbook(Model):
    """Every jurisdiction that there is a file for, by code."""

    profiles: tuple[KnownProfile, ...]


@routes.add("GET", "/api/operator/law", Rule.AUDITOR)
async def lawbook(visit: Visit) -> Lawbook:
    """The jurisdictions' files in short, with the categories of permits by name."""
    law = visit.parts.licence.law
    return Lawbook(
        profiles=tuple(
            KnownProfile(
                code=profile.code,
                name=dict(profile.name),
                version=law.profiles.named(profile.code),
                judges=profile.code in law.judges,
                as_of=profile.as_of,
                review_due=profile.review_due,
                categories=tuple(
                    NamedCategory(code=code, local=str(about.get("local", "")), en=str(about.get("en", "")))
                    for code, about in sorted(profile.categories.items())
                ),
            )
            for profile in sorted(law.profiles.by_code.values(), key=lambda profile: profile.code)
        )
    )
