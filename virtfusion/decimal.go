package virtfusion

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Decimal is a decimal number as text, "12.50", so that money is never rounded. The panel writes such numbers as numbers and as text, and false, null or nothing
// where it has no number: that is "". It is sent as a number.
type Decimal string

// Told reports whether there is a number.
func (d Decimal) Told() bool { return d != "" }

// Float64 is the nearest float. It is 0 when there is no number: see Told.
func (d Decimal) Float64() float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return 0
	}
	return f
}

// UnmarshalJSON reads numbers and text, and keeps every digit.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	text := string(b)
	switch {
	case len(b) > 0 && b[0] == '"':
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		text = strings.TrimSpace(text)
	case text == "false", text == "null":
		text = ""
	}
	if text != "" && !json.Valid([]byte(text)) || strings.ContainsAny(text, "{}[]\"tfn") {
		return rest.WrongKind[Decimal](b)
	}
	*d = Decimal(text)
	return nil
}

// MarshalJSON writes the number, or false when there is none, as the panel does.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("false"), nil
	}
	if !json.Valid([]byte(d)) || strings.ContainsAny(string(d), "{}[]\"tfn") {
		return nil, rest.WrongKind[Decimal]([]byte(strconv.Quote(string(d))))
	}
	return []byte(d), nil
}

// plain reports whether d is written with digits, and perhaps a point between them, only: no sign and no exponent.
func (d Decimal) plain() bool {
	whole, fraction, point := strings.Cut(string(d), ".")
	return digits(whole) && (!point || digits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
