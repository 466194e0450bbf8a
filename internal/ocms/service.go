// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

// Kind is the kind of an event.
type Kind uint8

// The kinds: Request and Response are about SIP messages, Generic is an event that an
// application logged from a map.
const (
	Generic Kind = iota
	Request
	Response
)

// Category is a decoded Log4j category:
// eventlogger.<logger>.REQUEST.<method> or eventlogger.<logger>.RESPONSE.<method>.<code>.
// The logger is a class name with dots, so the category is parsed from the right.
type Category struct {
	Kind   Kind
	Logger string
	Method string
	Code   int // 0 if absent
}

const (
	categoryPrefix = "eventlogger."
	requestPart    = ".REQUEST"
	responsePart   = ".RESPONSE"
)

// ParseService parses the value of Service. A category of another form is Generic,
// without a logger: nothing marks where the logger would end.
func ParseService(service string) (c Category) {
	c.parse(service)
	return c
}

// parse sets the fields of an empty category. The comparisons are with slices of constant
// length, which the compiler inlines, unlike strings.HasPrefix.
func (c *Category) parse(service string) {
	const n = len(categoryPrefix)
	if len(service) < n || service[:n] != categoryPrefix {
		return
	}
	rest := service[n:]
	end, code, isCode := len(rest), 0, false
	if dot := end - len(".200"); dot > 0 && rest[dot] == '.' {
		if code, isCode = parseCode(rest[dot+1:]); isCode {
			end = dot
		}
	}
	start := end
	for start > 0 && rest[start-1] >= 'A' && rest[start-1] <= 'Z' {
		start--
	}
	if start == end || start == 0 || rest[start-1] != '.' {
		return
	}
	method, rest := rest[start:end], rest[:start-1]
	if i := len(rest) - len(requestPart); i > 0 && !isCode && rest[i:] == requestPart {
		c.Kind, c.Logger, c.Method = Request, rest[:i], method
	} else if i := len(rest) - len(responsePart); i > 0 && rest[i:] == responsePart {
		c.Kind, c.Logger, c.Method, c.Code = Response, rest[:i], method, code
	}
}

// parseCode parses a status code, three digits from 100 to 699.
func parseCode(text string) (code int, ok bool) {
	if len(text) != 3 || text[0] < '1' || text[0] > '6' {
		return 0, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		code = 10*code + int(text[i]-'0')
	}
	return code, true
}
