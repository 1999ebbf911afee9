# Compares the tables of README.md with what was measured, or writes them anew:
#
#     awk -v tolerance=5 -f tables.awk MEASURED README.md              says what differs by more than 5 %, in bytes 10 %
#     awk -v record=1 -f tables.awk MEASURED README.md >README.new     the README with the numbers as measured
#
# A line of MEASURED is a table, a row, a column and a number, with tabs between them. A name ends where a comma and a space follow in
# a head, and has no backticks.
BEGIN { FS = "\t" }

function plain(cell) {
    gsub(/`|^ +| +$/, "", cell)
    return cell
}

function head(cell) {
    sub(/(, |: ).*/, "", cell)
    return plain(cell)
}

# 1234567 as 1,234,567
function grouped(number, text) {
    for (text = ""; length(number) > 3; number = substr(number, 1, length(number) - 3))
        text = "," substr(number, length(number) - 2) text
    return number text
}

FILENAME == ARGV[1] { measured[$1 "\t" $2 "\t" $3] = $4; next }

!/^\|/ { in_table = 0; if (record) print; next }

{
    count = split($0, cells, "|")
    if (!in_table) {
        in_table = 1
        for (i = 2; i < count; i++)
            heads[i] = head(cells[i])
    }
    line = "|" cells[2] "|"
    limit = heads[2] ~ /^bytes/ ? 2 * tolerance : tolerance
    for (i = 3; i < count; i++) {
        key = heads[2] "\t" plain(cells[2]) "\t" heads[i]
        if (key in measured) {
            was = plain(cells[i])
            gsub(/,/, "", was)
            now = measured[key]
            found[key]
            if (!record && (was !~ /^[0-9]+$/ || (now - was) ^ 2 > (was * limit / 100) ^ 2)) {
                gsub(/\t/, " / ", key)
                print key ": " grouped(now) ", and README.md says " plain(cells[i])
                differs = 1
            }
            cells[i] = " " grouped(now) " "
        }
        line = line cells[i] "|"
    }
    if (record)
        print line
}

END {
    for (key in measured)
        if (!(key in found)) {
            gsub(/\t/, " / ", key)
            print "no table of README.md has " key >"/dev/stderr"
            differs = 1
        }
    exit differs
}
