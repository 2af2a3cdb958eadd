#: make               build the programs into build/bin
#: make demo          the main job on the embedded bench: no hardware, no server
#: make check         all fast tests (release and asan), at most 10 minutes
#: make check-unit    unit tests of one flavour (FLAVOUR=release|asan)
#: make soak          the long lists: 500 kills, every cut, full sweeps
#: make bench         JSON lines {name,value,unit,limit,ratio}
#: make fuzz          coverage-guided fuzzing, FUZZ_SECONDS each (clang)
#: make install       DESTDIR=, prefix=

.PHONY: packages
packages:
	@sh tests/packages.sh
