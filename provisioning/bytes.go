package provisioning

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Bytes is an exact amount of memory, disk or traffic. Panels count in megabytes, gigabytes or bytes; Bytes is the one unit
// in which they meet, and no conversion in this module ever rounds.
//
// As text and in JSON it carries its unit ("2GiB"), so that a bare number can never be taken for the wrong one.
type Bytes int64

// Binary units are what the panels mean by "MB" and "GB" of memory and disk. Decimal units exist for parsing and for rates.
const (
	Byte Bytes = 1

	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40

	KB Bytes = 1e3
	MB Bytes = 1e6
	GB Bytes = 1e9
	TB Bytes = 1e12
)

var byteUnits = []struct {
	name string
	size Bytes
}{
	{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
	{"TB", TB}, {"GB", GB}, {"MB", MB}, {"KB", KB}, {"B", Byte},
}

// Whole says how many units b is. ok is false when b is not a whole number of them; nothing is rounded.
func (b Bytes) Whole(unit Bytes) (n int64, ok bool) {
	if unit <= 0 || b%unit != 0 {
		return 0, false
	}
	return int64(b / unit), true
}

// Of multiplies a number of units, as a panel sends it, into Bytes. It fails when the product does not fit into 63 bits or
// when n is negative.
func Of(n int64, unit Bytes) (Bytes, error) {
	if n < 0 || unit <= 0 || n > math.MaxInt64/int64(unit) {
		return 0, InvalidField("bytes", "%d units of %d bytes do not fit", n, int64(unit))
	}
	return Bytes(n) * unit, nil
}

// String prints the largest binary unit of which b is a whole number: "2GiB", "1536MiB", "1000B". ParseBytes reads it back, unless b is negative,
// which no amount is.
func (b Bytes) String() string {
	for _, u := range byteUnits[:4] {
		if n, ok := b.Whole(u.size); ok && n != 0 {
			return fmt.Sprintf("%d%s", n, u.name)
		}
	}
	return fmt.Sprintf("%dB", int64(b))
}

// ParseBytes reads a number with its unit: "512MiB", "1.5GiB", "20GB", "0B". The unit is required (B, KB..TB as powers of 1000,
// KiB..TiB as powers of 1024; letter case and a space before it do not matter), and the result must be a whole, non-negative
// number of bytes. The error is of Kind Invalid.
func ParseBytes(s string) (Bytes, error) {
	text := strings.TrimSpace(s)
	for _, u := range byteUnits {
		if len(text) < len(u.name) || !strings.EqualFold(text[len(text)-len(u.name):], u.name) {
			continue
		}
		number := strings.TrimSpace(text[:len(text)-len(u.name)])
		if number == "" || len(number) > 40 || strings.Trim(number, "0123456789.") != "" {
			break
		}
		r, ok := new(big.Rat).SetString(number)
		if !ok {
			break
		}
		r.Mul(r, new(big.Rat).SetInt64(int64(u.size)))
		if !r.IsInt() || !r.Num().IsInt64() {
			return 0, InvalidField("bytes", "%q is not a whole number of bytes below 2^63", shorten(s, 40))
		}
		return Bytes(r.Num().Int64()), nil
	}
	return 0, InvalidField("bytes", "%q is not a size: write a number with its unit, such as 512MiB or 20GiB", shorten(s, 40))
}

// MarshalText writes what String prints.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what ParseBytes accepts.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = v
	return nil
}

func shorten(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return string(r[:runes]) + "..."
}
