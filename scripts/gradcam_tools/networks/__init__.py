"""Networks to export: where they come from, what they take, what their output means, and the layers
that can be explained. `build` makes one by its name; `tasks` has the table of tasks."""
