package rest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// RawCall is the call of an operation that a panel package lacks. path lies below the API prefix and may carry a query; each of its elements is unescaped here, and checked and escaped again where all
// paths are built. GET is a Read, everything else Once.
func RawCall(method, path string, in, out any) (Call, error) {
	call := Call{Op: "do", Class: Once, Method: method, In: in, Out: out}
	switch method {
	case http.MethodGet:
		call.Class = Read
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return call, provisioning.InvalidField("method", "must be GET, POST, PUT, PATCH or DELETE")
	}
	path, rawQuery, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil || strings.ContainsRune(path+rawQuery, '#') {
		return call, provisioning.InvalidField("path", "must be a path, perhaps with a query, and without a fragment")
	}
	call.Query = query
	for element := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		plain, err := url.PathUnescape(element)
		if err != nil {
			return call, provisioning.InvalidField("path", "is not escaped correctly")
		}
		call.Path = append(call.Path, plain)
	}
	return call, nil
}
