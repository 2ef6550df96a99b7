package provisioning

// As finds capability C in v or in anything v wraps (a method Unwrap() any or Unwrap() Provider). Use it to build menus: it says what the panel kind can do.
// What this panel, version, licence or token refuses shows when a verb is called, as NoRoute, Forbidden or Unsupported.
//
// A wrapper that must see every call does not define Unwrap.
func As[C any](v any) (C, bool) {
	for v != nil {
		if c, ok := v.(C); ok {
			return c, true
		}
		switch w := v.(type) {
		case interface{ Unwrap() any }:
			v = w.Unwrap()
		case interface{ Unwrap() Provider }:
			v = w.Unwrap()
		default:
			v = nil
		}
	}
	var none C
	return none, false
}

func unsupported(verb string) *Error {
	return &Error{Kind: Unsupported, Op: verb, Message: "this panel cannot do it"}
}
