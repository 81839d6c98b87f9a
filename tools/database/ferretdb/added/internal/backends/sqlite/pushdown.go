// Added by functions-on-knative; not part of FerretDB.

package sqlite

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/FerretDB/FerretDB/internal/backends/sqlite/metadata"
	"github.com/FerretDB/FerretDB/internal/handler/sjson"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/must"
)

// pushdown is the part of a query that SQLite does by an index.
//
// Its conditions let through every document that passes the filter. They may let others through: the
// handler filters again.
type pushdown struct {
	conditions []string
	args       []any
	orderBy    string
}

// preparePushdown finds what SQLite can do of a filter, and of sorting by _id (1 or -1, or 0 for no order).
func preparePushdown(coll *metadata.Collection, filter *types.Document, sortByID int64) *pushdown {
	p := new(pushdown)
	if filter.Len() == 0 {
		return p
	}

	id, _ := filter.Get("_id")
	onlyStrings := p.addID(id)

	for _, index := range coll.Settings.Indexes {
		if len(index.Key) == 1 && index.Unique {
			field := index.Key[0].Field
			v, _ := filter.Get(field)
			p.addField(field, v)
		}
	}

	// A string's place among values of other types is not the same in SQLite and in BSON.
	if onlyStrings && sortByID != 0 {
		p.orderBy = " ORDER BY " + metadata.IDText
		if sortByID < 0 {
			p.orderBy += " DESC"
		}
	}

	return p
}

// where returns the WHERE clause, or an empty string.
func (p *pushdown) where() string {
	if len(p.conditions) == 0 {
		return ""
	}

	return " WHERE " + strings.Join(p.conditions, " AND ")
}

func (p *pushdown) add(condition string, args ...any) {
	p.conditions = append(p.conditions, condition)
	p.args = append(p.args, args...)
}

// comparisons maps operators to SQL, where %[1]s is the place of the expression.
//
// SQLite sorts numbers before texts, hence the bound below.
var comparisons = map[string]string{
	"$eq":  "%[1]s = ?",
	"$lt":  "%[1]s >= '' AND %[1]s < ?",
	"$lte": "%[1]s >= '' AND %[1]s <= ?",
	"$gt":  "%[1]s > ?",
	"$gte": "%[1]s >= ?",
}

// addID adds the conditions on _id, all of them or none.
// It returns true if no document passes them unless its _id is a string.
func (p *pushdown) addID(v any) bool {
	var onlyStrings bool
	var id pushdown

	for _, c := range operations(v) {
		switch operand := c.operand.(type) {
		case string:
			comparison, ok := comparisons[c.operator]
			if !ok {
				return false
			}

			id.add(fmt.Sprintf(comparison, metadata.IDText), operand)
			onlyStrings = true

		case types.ObjectID:
			if c.operator != "$eq" {
				return false
			}

			id.add(metadata.IDText+" = ?", hex.EncodeToString(operand[:]))

		case *types.Array:
			values := stringsOf(operand)
			if c.operator != "$in" || values == nil {
				return false
			}

			id.add(metadata.IDText+in(values), values...)
			onlyStrings = true

		default:
			return false
		}
	}

	p.conditions = append(p.conditions, id.conditions...)
	p.args = append(p.args, id.args...)

	return onlyStrings
}

// simpleName matches names that mean the same in JSON, in SQL and in a path.
var simpleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// addField adds that a field is one of some strings.
//
// A unique index is on the field's JSON. To be used, its expression must be the same in the query;
// how the name is quoted makes no difference.
func (p *pushdown) addField(field string, v any) {
	ops := operations(v)
	if field == "_id" || !simpleName.MatchString(field) || len(ops) != 1 {
		return
	}

	var values []any

	switch operand := ops[0].operand.(type) {
	case string:
		if ops[0].operator == "$eq" {
			values = []any{operand}
		}
	case *types.Array:
		if ops[0].operator == "$in" {
			values = stringsOf(operand)
		}
	}

	if values == nil {
		return
	}

	for i, value := range values {
		s := value.(string)

		// what wasn't UTF-8 when it was stored has become one of these, and is escaped
		if strings.ContainsRune(s, utf8.RuneError) {
			return
		}

		values[i] = string(must.NotFail(sjson.MarshalSingleValue(s)))
	}

	// an array matches by its elements, and its JSON begins with a bracket
	column := fmt.Sprintf("%s->'%s'", metadata.DefaultColumn, field)
	p.add(fmt.Sprintf(`(%[1]s%[2]s OR %[1]s BETWEEN '[' AND '\')`, column, in(values)), values...)
}

// operation is an operator of a filter and its operand.
type operation struct {
	operator string
	operand  any
}

// operations returns what a filter says of a field; nothing if it is a document to be compared with.
func operations(v any) []operation {
	doc, ok := v.(*types.Document)
	if !ok {
		return []operation{{"$eq", v}}
	}

	var res []operation

	keys, values := doc.Keys(), doc.Values()
	for i, key := range keys {
		if !strings.HasPrefix(key, "$") {
			return nil
		}

		res = append(res, operation{key, values[i]})
	}

	return res
}

// maxStrings is well below SQLite's limit on parameters, 32,766.
const maxStrings = 10_000

// stringsOf returns the elements of an array of strings; nil if it is another, or is too long.
func stringsOf(a *types.Array) []any {
	if a.Len() == 0 || a.Len() > maxStrings {
		return nil
	}

	res := make([]any, a.Len())
	for i := range res {
		s, ok := must.NotFail(a.Get(i)).(string)
		if !ok {
			return nil
		}

		res[i] = s
	}

	return res
}

// in returns SQL's IN with a placeholder for each value.
func in(values []any) string {
	return " IN (?" + strings.Repeat(", ?", len(values)-1) + ")"
}
