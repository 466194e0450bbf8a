// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package durations checks the durations of a component's configuration. The Collector's
// decoder accepts a number without a unit and takes it for nanoseconds: with
// shutdown_timeout: 5, a stop would wait for five nanoseconds.
//
// Check reads the configuration and changes nothing. Its tests are tables.
package durations

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Min is the least duration of a key without a bound of its own, and the usual bound. No
// number without a unit that is meant in seconds or minutes reaches it.
const Min = 10 * time.Millisecond

// Bound is the least value of a key.
type Bound struct {
	// AtLeast is the least value.
	AtLeast time.Duration
	// Zero describes 0, which is then valid too: "without end". Without it, 0 is refused.
	Zero string
}

// Bounds are the bounds of keys, by their path without the indexes of lists:
// "servers::timeout".
type Bounds map[string]Bound

// Check returns an error that names each key whose duration is below its bound. config is a
// pointer to a struct with mapstructure tags. All its durations are checked, those of
// sections of other modules and of list elements included; sections that are not configured
// are left out. A key without a bound is refused if it is positive and below Min; its owner
// decides about 0 and negative values.
func Check(config any, bounds Bounds) error {
	c := checker{bounds: bounds}
	c.check(reflect.ValueOf(config), nil)
	return errors.Join(c.errs...)
}

const (
	separator       = "::" // of a key from its section, as in the Collector's errors
	optionalPackage = "go.opentelemetry.io/collector/config/configoptional"
)

type checker struct {
	bounds Bounds
	errs   []error
}

// check checks the durations in v, whose key has the given path.
func (c *checker) check(v reflect.Value, path []string) {
	switch v.Kind() {
	case reflect.Int64:
		if v.Type() == reflect.TypeFor[time.Duration]() {
			c.checkDuration(path, time.Duration(v.Int()))
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			c.check(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.check(v.Index(i), join(path, strconv.Itoa(i)))
		}
	case reflect.Struct:
		if isOptional(v) {
			// Get returns nil for a section that is not configured.
			c.check(v.Addr().MethodByName("Get").Call(nil)[0], path)
			return
		}
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				c.check(v.Field(i), keyOf(field, path))
			}
		}
	default:
	}
}

// isOptional reports whether v is a configoptional.Optional of any type.
func isOptional(v reflect.Value) bool {
	return v.CanAddr() && v.Type().PkgPath() == optionalPackage && v.Addr().MethodByName("Get").IsValid()
}

// keyOf returns the path of a struct's field.
func keyOf(field reflect.StructField, path []string) []string {
	name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
	switch {
	case strings.Contains(options, "squash"):
		return path
	case name == "":
		name = field.Name
	}
	return join(path, name)
}

// join returns a path of its own, because siblings extend the same path.
func join(path []string, name string) []string {
	return append(slices.Clip(path), name)
}

func (c *checker) checkDuration(path []string, got time.Duration) {
	bound, isBound := c.bounds[withoutIndexes(path)]
	if !isBound {
		bound.AtLeast = Min
	}
	allowed := "at least " + bound.AtLeast.String()
	switch {
	case got >= bound.AtLeast, got == 0 && bound.Zero != "", got <= 0 && !isBound:
		return
	case bound.Zero != "":
		allowed = "0 (" + bound.Zero + ") or " + allowed
	}
	c.errs = append(c.errs, fmt.Errorf("%s must be %s, got %s: write it with a unit, as 30s or 24h; a number alone is in nanoseconds",
		strings.Join(path, separator), allowed, got))
}

func withoutIndexes(path []string) string {
	var names []string
	for _, name := range path {
		if _, err := strconv.Atoi(name); err != nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, separator)
}
