#!/bin/sh
# Stands in for a Python in the tests: says what PRETEND asks for, in the form of src/jobs.py.

# Answers as many commands as $3 says, then ends.
serve() {
    left=$3
    while [ "$left" -gt 0 ] && read -r way _; do
        total=5
        [ "$PRETEND $way" = "wrong threads" ] && total=7
        job='{"start_s": 0.0, "end_s": 0.01, "busy_s": 0.01, "total": '$total'}'
        echo '{"title": "pretend 3.99.0, '"$1"'", "gil": '"$2"', "used_s": [0.5, 0.0], "jobs": ['"$job, $job"']}'
        left=$((left - 1))
    done
}

case "$PRETEND" in
    without-gil) serve "GIL off" false 1000 ;;
    unknown) serve "GIL unknown" null 1000 ;;
    old) echo "Python 2.7.18, not Python 3" >&2 ;;
    # The calibration and a first round, and no more.
    ends) serve "GIL on" true 3; echo 'MemoryError' >&2 ;;
    # Adds up on one thread, and not on two.
    wrong) serve "GIL on" true 1000 ;;
    # Answers once, and then nothing; neither Ctrl-C nor the end of its input ends it.
    hangs)
        trap '' INT
        serve "GIL on" true 1
        echo $$ > "$PRETEND_PID.new" && mv "$PRETEND_PID.new" "$PRETEND_PID"
        exec sleep 600
        ;;
    # Silent until nothing is left to answer.
    *) while read -r _; do :; done ;;
esac
