"""The broker of the org's Claude keys: its store, who may use which, and the relay that spends them."""
