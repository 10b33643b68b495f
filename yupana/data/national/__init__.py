"""The country's codes: its places, calendar and life stages, and the columns that hold them.

The other rooms read tables of this one (`derivations.DERIVATIONS`, `code_lists.GENERATED`,
`columns.CODES`) and know none of its names: another country is another room.
"""
