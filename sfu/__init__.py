"""The media plane. Import sfu.api, nothing below it."""
