"""What the commands in scripts/ share.

Each sub-package may import from those before it in this list, never from those behind it:

    networks   networks to export: where they come from, their input, output and layers
    export     from a network to a TorchScript file with its description
    compile    from a network file to the same in int8
    bench      comparisons with other tools

The modules directly in this folder import none of the sub-packages. Importing this package or a
sub-package loads no torch, so that a command can first change to the Python that has it
(project_python).
"""
