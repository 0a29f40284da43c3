"""The messages; TypeScript types are generated from here."""
