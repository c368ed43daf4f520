"""The register in the database, held against the journal's entries of its changes."""

from licensing.audit import ClearValue
from licensing.filed import FiledFault, changed_by, filed_faults, not_accepted
from licensing.ports import Chains, Filed


async def register_faults(chains: Chains) -> tuple[FiledFault, ...]:
    """What of the register is not what the chains say, and no operator has accepted. JournalError."""
    filed = await chains.filed()
    return not_accepted(filed_faults(filed, names=await changers(chains, filed)), filed.entries)


async def changers(chains: Chains, filed: Filed) -> dict[str, ClearValue]:
    """Who made the register's changes, by the hash in the entry, as far as that is not erased."""
    return {row.hash: row for row in await chains.clear_values(changed_by(filed.entries))}
