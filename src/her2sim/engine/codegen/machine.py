"""The machine that generated code runs on: features, lanes, compilation."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import llvmlite
import llvmlite.binding as llvm

from her2sim.engine.codegen.kernel import ENTRY_POINT


@dataclass(frozen=True)
class Machine:
    """What the code generator needs to know of a CPU.

    ``vector`` is how many doubles fit a vector register.
    """

    triple: str
    cpu: str
    features: str
    vector: int

    def lanes_for(self, n_states: int) -> int:
        """Lanes that run best: several vectors side by side hide the latency of each other.

        Measured on AVX-512 with 3 states: 4 vectors are 1.4 times as fast as one. With many states
        the registers are full and one is enough.
        """
        side_by_side = 4 if n_states <= 4 else 2 if n_states <= 8 else 1
        return self.vector * side_by_side

    def key(self, identity: str) -> str:
        """Hash of everything that decides the machine code; ``identity`` is that of the model."""
        version = ".".join(map(str, llvm.llvm_version_info))
        parts = (identity, self.triple, self.cpu, self.features, version, llvmlite.__version__)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def this_machine() -> Machine:
    """The machine we run on: 8 doubles a vector with AVX-512, 4 with AVX2, 2 with NEON, else 1."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    host = llvm.get_host_cpu_features()
    features = host.flatten() if host else ""
    triple = llvm.get_process_triple()
    if host.get("avx512f") and host.get("avx512dq"):
        vector = 8
    elif host.get("avx2") and host.get("fma"):
        vector = 4
    elif triple.startswith(("aarch64", "arm64")):
        vector = 2
    else:
        vector = 1
    return Machine(triple, llvm.get_host_cpu_name(), features, vector)


def _target_machine(machine: Machine) -> llvm.TargetMachine:
    target = llvm.Target.from_triple(machine.triple)
    return target.create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=2, reloc="pic", codemodel="small"
    )


def compile_object(source: str, machine: Machine) -> bytes:
    """Compile LLVM IR to a native object file."""
    module = llvm.parse_assembly(source)
    module.triple = machine.triple
    target = _target_machine(machine)
    module.data_layout = str(target.target_data)
    module.verify()
    options = llvm.PipelineTuningOptions(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = target.emit_object(module)
    return code


class LoadedCode:
    """Machine code in memory; keeps it alive as long as it is used."""

    def __init__(self, code: bytes, machine: Machine) -> None:
        self._jit = llvm.create_lljit_compiler(_target_machine(machine), use_jit_link=True)
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        library.export_symbol(ENTRY_POINT)
        self._library = library.link(self._jit, "her2sim")
        self.address = int(self._library[ENTRY_POINT])
