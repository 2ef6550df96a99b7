package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// maxPooled is the size up to which a buffer is used again.
const maxPooled = 1 << 20

var errTooLarge = errors.New("answer too large")

// readBody reads an answer up to limit bytes. A longer one is errTooLarge, one shorter than announced io.ErrUnexpectedEOF.
func readBody(buf *bytes.Buffer, resp *http.Response, limit int64) error {
	buf.Reset()
	if resp.ContentLength > limit {
		return errTooLarge
	}
	if resp.ContentLength > 0 {
		buf.Grow(int(min(resp.ContentLength, maxPooled-bytes.MinRead)) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return err
	case n > limit:
		return errTooLarge
	case n < resp.ContentLength:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// accept takes an answer as a success: it decodes what is needed from it and has it checked.
func (cl *call) accept(body []byte, err error) event {
	cl.kind = provisioning.Unexpected
	switch {
	case errors.Is(err, errTooLarge):
		cl.message = fmt.Sprintf("the answer is larger than %d bytes", cl.maxBody)
		return broken
	case err != nil:
		cl.kind, cl.message, cl.cause = provisioning.Unavailable, "the answer was cut off", err
		return lost
	case isHTML(cl.header, body):
		cl.kind, cl.message = provisioning.NoRoute, "an HTML page instead of the panel's answer"
		return broken
	case cl.Out == nil:
		return done
	}
	body = trim(body)
	if len(body) == 0 || string(body) == "null" && !takesNull(cl.Out) {
		if cl.Optional {
			return done
		}
		cl.message = "an empty answer where one is needed"
		return broken
	}
	if err := json.Unmarshal(body, cl.Out); err != nil {
		cl.message, cl.cause = "the answer cannot be decoded", decodeError(err)
		return broken
	}
	if cl.Check != nil {
		if err := cl.Check(); err != nil {
			cl.unfit(err)
			return broken
		}
	}
	return done
}

// unfit takes over what Check says. Its kind counts where it has one, such as Mismatch.
func (cl *call) unfit(err error) {
	if e := asError(err); e != nil {
		cl.kind, cl.message, cl.fields, cl.cause = e.Kind, cl.tidy(e.Message, maxMessage), e.Fields, e.Err
		return
	}
	errors.As(err, &cl.kind)
	cl.message, cl.cause = "the answer does not fit the call", cl.hide(err)
}

// decodeError tells what was wrong without the value, which may be a secret.
func decodeError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return &outside{text: fmt.Sprintf("not valid JSON at byte %d", syntax.Offset), err: syntax}
	case errors.As(err, &kind):
		told := *kind
		if strings.HasPrefix(told.Value, "number ") { // encoding/json appends the digits
			told.Value = "number that does not fit"
		}
		return &told
	}
	return fmt.Errorf("refused by its type (%T)", err)
}

// takesNull says whether null is an answer for out: it is none where an object is needed, because encoding/json would silently leave the object as it was.
func takesNull(out any) bool {
	if _, ok := out.(json.Unmarshaler); ok {
		return true
	}
	t := reflect.TypeOf(out)
	return t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct
}

// isHTML finds pages by their declared type or their first character. An empty body is no page, whatever its type: frameworks label it so.
func isHTML(h http.Header, body []byte) bool {
	text := trim(body)
	if len(text) == 0 {
		return false
	}
	if text[0] == '<' {
		return true
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

func startsJSON(body []byte) bool { return bytes.IndexByte([]byte(`{["`), trim(body)[0]) >= 0 }

// trim removes white space and a byte order mark around a body.
func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
}
