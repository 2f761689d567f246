"""The pocket bench: a throwaway Frappe site made from package registries alone (see README.md here)."""
