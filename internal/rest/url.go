package rest

import (
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/go-querystring/query"

	"github.com/hvpanels/hvpanels/provisioning"
)

// parseBase splits a base URL into the panel's address (origin) and the root of its API. No error shows what was given, because it may hold a password.
func parseBase(raw, prefix string, insecure bool) (origin string, api *url.URL, err error) {
	u, parseErr := url.Parse(raw)
	switch {
	case raw == "":
		return "", nil, badBase("is empty")
	case strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "", nil, badBase("holds spaces or control characters")
	case parseErr != nil, u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return "", nil, badBase("must begin with https:// (or http://) and a host name")
	case u.User != nil:
		return "", nil, badBase("must not hold a user name or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return "", nil, badBase("must not hold a query or a fragment")
	case u.Hostname() == "":
		return "", nil, badBase("has no host name")
	case !validHost(u.Hostname()):
		return "", nil, badBase("has a host name with other characters than letters, digits, \"-\", \".\" and \"_\" (an international name is written in its xn-- form)")
	case u.Port() != "" && !validPort(u.Port()):
		return "", nil, badBase("has a port outside of 1-65535")
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return "", nil, badBase("plain http would send the credentials unencrypted; use https, or allow it with WithInsecureHTTP")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, prefix), "/")
	for i, element := range strings.Split(path, "/") {
		if i == 0 { // before the first slash
			continue
		}
		if e, err := url.PathUnescape(element); err != nil || e == "" || e == "." || e == ".." {
			return "", nil, badBase("has a path with an empty, \".\" or \"..\" element")
		}
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	origin = u.Scheme + "://" + strings.TrimSuffix(host, ":") + path
	api, err = url.Parse(origin + prefix)
	if err != nil {
		return "", nil, badBase("cannot be joined with the API prefix %q", prefix)
	}
	return origin, api, nil
}

func badBase(format string, args ...any) error {
	return provisioning.InvalidField("baseURL", format, args...)
}

func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// joinPath appends elements to the root of the API, each escaped. path is what was appended, for errors and logs.
func joinPath(api *url.URL, elements []any) (u *url.URL, path string, err error) {
	var escaped, plain strings.Builder
	for _, e := range elements {
		text, ok := pathText(e)
		switch {
		case !ok:
			return nil, "", provisioning.InvalidField("path", "a %T cannot be an element of a path", e)
		case text == "" || text == "." || text == "..":
			return nil, "", provisioning.InvalidField("path", "an element must not be empty, \".\" or \"..\"")
		case strings.ContainsFunc(text, unicode.IsControl):
			return nil, "", provisioning.InvalidField("path", "an element must not hold control characters")
		}
		escaped.WriteByte('/')
		escaped.WriteString(url.PathEscape(text))
		plain.WriteByte('/')
		plain.WriteString(text)
	}
	joined := *api
	joined.RawPath = api.EscapedPath() + escaped.String()
	joined.Path = api.Path + plain.String()
	if joined.Path == "" {
		joined.Path, joined.RawPath = "/", ""
	}
	return &joined, escaped.String(), nil
}

// pathText is the text of a string, an integer, or a named type of those.
func pathText(e any) (string, bool) {
	switch v := e.(type) {
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	}
	v := reflect.ValueOf(e)
	switch {
	case !v.IsValid():
		return "", false
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	}
	return "", false
}

func encodeQuery(q any) (string, error) {
	switch v := q.(type) {
	case nil:
		return "", nil
	case url.Values:
		return v.Encode(), nil
	}
	values, err := query.Values(q)
	if err != nil {
		return "", provisioning.InvalidField("query", "a %T cannot be written as a query", q)
	}
	return values.Encode(), nil
}
