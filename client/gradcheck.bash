# shellcheck shell=bash
# Completion for gradcheck: commands and options as the program itself lists them.

_gradcheck() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        words=$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$word")
        return
    fi
    case $before in
    --dtype) mapfile -t COMPREPLY < <(compgen -W "float64 float32 float16 bfloat16" -- "$word") ;;
    --state) mapfile -t COMPREPLY < <(compgen -W "queued running succeeded failed cancelled" -- "$word") ;;
    --kind) mapfile -t COMPREPLY < <(compgen -W "gradient-check training probe" -- "$word") ;;
    --server | --report-to | --timeout | --map | --label | --limit | --tolerance | --sweep | --repeat | --seed | --budget) ;;
    *)
        if [[ $word == -* ]]; then
            words=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
            mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    esac
}
complete -o filenames -F _gradcheck gradcheck
