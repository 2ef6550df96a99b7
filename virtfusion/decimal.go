package virtfusion

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Decimal is a decimal number as text, "12.50", so that money is never rounded. The panel writes such numbers as numbers and as text, and false, null or
// nothing where it has no number: that is "". It is sent as a number.
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
		if grouped.MatchString(text) {
			text = strings.ReplaceAll(text, ",", "")
		}
	case text == "false", text == "null":
		text = ""
	}
	if text != "" && !isNumber(text) {
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
	if !isNumber(string(d)) {
		return nil, rest.WrongKind[Decimal]([]byte(strconv.Quote(string(d))))
	}
	return []byte(d), nil
}

// grouped is a number with commas between its thousands, which PHP writes where it formats for people. It was not seen.
var grouped = regexp.MustCompile(`^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)

// isNumber reports whether s is a number of JSON.
func isNumber(s string) bool {
	return json.Valid([]byte(s)) && strings.Trim(s, "+-.0123456789eE") == ""
}

// plain reports whether d is written with digits, and perhaps a point between them, only: no sign and no exponent.
func (d Decimal) plain() bool {
	whole, fraction, point := strings.Cut(string(d), ".")
	return digits(whole) && (!point || digits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
