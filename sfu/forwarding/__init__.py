"""Who is shown in which slot: policy at 10 Hz or less, never per packet."""
