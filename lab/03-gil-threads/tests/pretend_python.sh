#!/bin/sh
# Stands in for a Python in the tests: says what PRETEND asks for, in the form of src/jobs.py.

# The last two arguments: the way, and the work.
while [ $# -gt 2 ]; do shift; done
way=$1

answer() {
    total=5
    [ "$PRETEND $way" = "wrong threads" ] && total=7
    job="[0.0, 0.01, 0.01, $total]"
    echo '{"title": "pretend 3.99.0, '"$1"'", "gil": '"$2"', "jobs": ['"$job, $job"']}'
}

case "$PRETEND" in
    without-gil) answer "GIL off" false ;;
    unknown) answer "GIL unknown" null ;;
    old) echo "Python 2.7.18, not Python 3" >&2 ;;
    # Answers until the first round is over, and then no more.
    ends)
        [ -e "$PRETEND_NOTE" ] && echo 'MemoryError' >&2 && exit
        [ "$way" = threads ] && : > "$PRETEND_NOTE"
        answer "GIL on" true
        ;;
    # Adds up on one thread, and not on two.
    wrong) answer "GIL on" true ;;
    # Answers one way, and the other one never; Ctrl-C does not end it.
    hangs)
        [ "$way" = sequential ] && answer "GIL on" true && exit
        trap '' INT
        echo $$ > "$PRETEND_NOTE.new" && mv "$PRETEND_NOTE.new" "$PRETEND_NOTE"
        exec sleep 600
        ;;
esac
