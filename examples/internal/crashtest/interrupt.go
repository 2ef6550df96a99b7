package crashtest

import (
	"bytes"
	"context"
)

// Interrupter is the output of a program in this process, for which Ctrl-C is the end of its context: that comes when it has printed Text.
type Interrupter struct {
	bytes.Buffer
	Text   string
	Cancel context.CancelFunc
}

// Write takes what the program prints.
func (i *Interrupter) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(i.Text)) {
		i.Cancel()
	}
	return i.Buffer.Write(b)
}
