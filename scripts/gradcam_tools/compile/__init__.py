"""From a network file to the same in int8: pictures to calibrate on, what is quantised, and how
well the result agrees."""
