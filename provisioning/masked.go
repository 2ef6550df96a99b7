package provisioning

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
)

// Masked is v for a log: all that fmt and encoding/json make of it, with the mask in place of each Secret. It is the LogValue of structs that hold secrets:
//
//	func (o Order) LogValue() slog.Value { return provisioning.Masked(o) }
//
// and what a slice or a map of them needs, because log/slog asks those for no LogValue: slog.Any("servers", provisioning.Masked(servers)). Secrets in fields that
// are not exported are not found, see Secret. A v that cannot be copied to be masked is all mask: one that holds itself, is more than 100 levels deep, or embeds
// a pointer to a struct type that is not exported.
func Masked(v any) slog.Value {
	if v == nil {
		return slog.AnyValue(nil)
	}
	c := shallowCopy(reflect.ValueOf(v))
	if !mask(c, 0) {
		return slog.StringValue(secretMask)
	}
	return slog.AnyValue(maskedCopy{c.Interface()})
}

// maskedCopy hides the LogValue of what it holds, so that it is not called again.
type maskedCopy struct{ v any }

func (m maskedCopy) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), m.v)
}

func (m maskedCopy) MarshalJSON() ([]byte, error) { return json.Marshal(m.v) }

const maxMaskDepth = 100

var secretType = reflect.TypeFor[Secret]()

// shallowCopy is a copy of v that can be set.
func shallowCopy(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// mask masks the secrets in v, which nobody else has. What v refers to is copied first. It reports whether that was possible.
func mask(v reflect.Value, depth int) bool {
	if depth > maxMaskDepth {
		return false
	}
	if v.Kind() == reflect.Struct {
		return maskStruct(v, depth)
	}
	if !v.CanSet() { // an embedded type that is not exported: encoding/json reads pointers to structs only
		return v.Kind() != reflect.Pointer || v.IsNil()
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == secretType {
			v.SetString(Secret(v.String()).String())
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return true
		}
		c := shallowCopy(v.Elem())
		if !mask(c, depth+1) {
			return false
		}
		if v.Kind() == reflect.Pointer {
			c = c.Addr()
		}
		v.Set(c)
	case reflect.Slice, reflect.Array:
		return maskElements(v, depth)
	case reflect.Map:
		return maskMap(v, depth)
	}
	return true
}

func maskStruct(v reflect.Value, depth int) bool {
	if v.CanSet() {
		if o, ok := v.Addr().Interface().(interface{ mask(depth int) bool }); ok { // an Opt, whose value is not exported
			return o.mask(depth)
		}
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); (f.IsExported() || f.Anonymous) && !mask(v.Field(i), depth+1) {
			return false
		}
	}
	return true
}

func maskElements(v reflect.Value, depth int) bool {
	if v.Type().Elem().Kind() <= reflect.Complex128 { // bytes and other numbers
		return true
	}
	if v.Kind() == reflect.Slice && !v.IsNil() {
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		v.Set(c)
	}
	for i := range v.Len() {
		if !mask(v.Index(i), depth+1) {
			return false
		}
	}
	return true
}

func maskMap(v reflect.Value, depth int) bool {
	if v.IsNil() {
		return true
	}
	c := reflect.MakeMapWithSize(v.Type(), v.Len())
	for key, elem := range v.Seq2() {
		key, elem = shallowCopy(key), shallowCopy(elem)
		if !mask(key, depth+1) || !mask(elem, depth+1) {
			return false
		}
		c.SetMapIndex(key, elem)
	}
	v.Set(c)
	return true
}
