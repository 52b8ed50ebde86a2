# Prints each memory ordering named in a function before any comment that begins with ORDERING, and
# exits with 1 if there is one. Stops at a file's tests. Knows Rust as rustfmt lays it out.
FNR == 1                          { said = tests = imports = 0 }
/^#\[cfg\(test\)\]/               { tests = 1 }
tests                             { next }
/^ *(pub(\([a-z]+\))? )?use /     { imports = 1 }
imports                           { if (/;/) imports = 0; next }
/^ *(pub(\([a-z]+\))? )?((const|unsafe|extern "C") )*fn / { said = 0 }
/\/\/ ORDERING: /                 { said = 1 }
/^ *\/\//                         { next }
/(^|[^A-Za-z_])(Relaxed|Acquire|Release|AcqRel|SeqCst)([^A-Za-z_]|$)/ && !said {
    print FILENAME ":" FNR ": " $0
    found = 1
}
END { exit found }
