"""One step, one file; each has run(context, settings) -> StepResult."""
