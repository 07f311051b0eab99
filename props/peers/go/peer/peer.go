// Package peer is what the adapters in Go have in common: the pipe, and octets as JSON.
package peer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"unicode/utf8"
)

// A is a JSON object.
type A = map[string]any

// Octets are a string where they are UTF-8, else {"hex": …}.
func Octets(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return A{"hex": hex.EncodeToString([]byte(s))}
}

// Maybe is nil where there is nothing.
func Maybe(s string, there bool) any {
	if !there {
		return nil
	}
	return Octets(s)
}

// Port is nil for 0, which is how a stack says that there is none.
func Port(n int) any {
	if n <= 0 {
		return nil
	}
	return n
}

// Version is the one that a module was built in with.
func Version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "?"
}

// Serve asks read for every message. An error is a refusal; the reading that comes with it is that
// of a stream, or nil.
func Serve(name, module string, read func([]byte) (A, error)) {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	say := func(o A) {
		if out.Encode(o) != nil {
			os.Exit(3)
		}
	}
	say(A{"peer": name, "version": Version(module)})
	for {
		var n uint32
		if binary.Read(in, binary.BigEndian, &n) != nil {
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		reading, err := read(message)
		switch {
		case err == nil:
			say(A{"verdict": "accept", "reading": reading})
		case reading != nil:
			say(A{"verdict": "refuse", "reason": fmt.Sprintf("%.200s", err), "reading": reading})
		default:
			say(A{"verdict": "refuse", "reason": fmt.Sprintf("%.200s", err)})
		}
	}
}
