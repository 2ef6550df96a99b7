// Package terminal tells who reads what a program prints.
package terminal

import (
	"io"
	"os"
)

// Is reports whether a person looks at w, on a terminal that can move its cursor.
func Is(w io.Writer, getenv func(string) string) bool {
	f, ok := w.(*os.File)
	if !ok || getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
