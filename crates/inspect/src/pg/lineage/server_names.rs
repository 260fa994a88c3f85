//! Names of the server's own that lineage has to know more of than their class.
//!
//! Types (a cast to any other may run code), the columns of set-returning functions, functions that
//! take a row of any type, and functions whose answer is not made of their arguments.

/// Types of `pg_catalog` whose casts run the server's own code.
pub(super) fn is_type(name: &str) -> bool {
    matches!(
        name,
        "bool"
            | "bytea"
            | "char"
            | "name"
            | "int8"
            | "int2"
            | "int4"
            | "text"
            | "oid"
            | "tid"
            | "xid"
            | "xid8"
            | "cid"
            | "json"
            | "jsonb"
            | "jsonpath"
            | "xml"
            | "point"
            | "lseg"
            | "path"
            | "box"
            | "polygon"
            | "line"
            | "circle"
            | "float4"
            | "float8"
            | "money"
            | "macaddr"
            | "macaddr8"
            | "inet"
            | "cidr"
            | "bpchar"
            | "varchar"
            | "date"
            | "time"
            | "timestamp"
            | "timestamptz"
            | "interval"
            | "timetz"
            | "bit"
            | "varbit"
            | "numeric"
            | "uuid"
            | "tsvector"
            | "tsquery"
            | "pg_lsn"
            | "pg_snapshot"
            | "txid_snapshot"
            | "int2vector"
            | "oidvector"
            | "regproc"
            | "regprocedure"
            | "regoper"
            | "regoperator"
            | "regclass"
            | "regtype"
            | "regrole"
            | "regnamespace"
            | "regconfig"
            | "regdictionary"
            | "regcollation"
            | "int4range"
            | "numrange"
            | "tsrange"
            | "tstzrange"
            | "daterange"
            | "int8range"
            | "int4multirange"
            | "nummultirange"
            | "tsmultirange"
            | "tstzmultirange"
            | "datemultirange"
            | "int8multirange"
            | "aclitem"
            | "refcursor"
            | "record"
            | "_text"
            | "_int4"
            | "_int8"
            | "_varchar"
            | "_uuid"
            | "_jsonb"
    )
}

/// The columns of a function in FROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returns {
    /// One value, named after the alias or the function.
    Scalar,
    /// Columns of these names.
    Columns(&'static [&'static str]),
    /// It depends, or is not written down here.
    Unknown,
}

/// Functions that return rows, so that how many there are depends on their arguments. All that take
/// values, and not only names of catalog objects.
pub(super) fn returns_rows(function: &str) -> bool {
    matches!(
        function,
        "generate_series"
            | "generate_subscripts"
            | "unnest"
            | "regexp_split_to_table"
            | "regexp_matches"
            | "string_to_table"
            | "json_object_keys"
            | "jsonb_object_keys"
            | "jsonb_path_query"
            | "jsonb_path_query_tz"
            | "json_array_elements"
            | "json_array_elements_text"
            | "jsonb_array_elements"
            | "jsonb_array_elements_text"
            | "json_each"
            | "json_each_text"
            | "jsonb_each"
            | "jsonb_each_text"
            | "json_populate_recordset"
            | "jsonb_populate_recordset"
            | "json_to_recordset"
            | "jsonb_to_recordset"
            | "ts_debug"
            | "ts_parse"
            | "aclexplode"
            | "pg_options_to_table"
            | "_pg_expandarray"
    )
}

/// What a function of `pg_catalog` returns in FROM.
pub(super) fn returns(function: &str) -> Returns {
    match function {
        "generate_series"
        | "generate_subscripts"
        | "regexp_split_to_table"
        | "regexp_matches"
        | "string_to_table"
        | "json_object_keys"
        | "jsonb_object_keys"
        | "jsonb_path_query"
        | "jsonb_path_query_tz"
        | "now"
        | "clock_timestamp"
        | "lower"
        | "upper"
        | "length"
        | "concat"
        | "concat_ws"
        | "substring"
        | "substr"
        | "left"
        | "right"
        | "to_char"
        | "to_json"
        | "to_jsonb"
        | "row_to_json"
        | "array_length"
        | "cardinality"
        | "md5"
        | "version"
        | "string_to_array"
        | "jsonb_path_query_array"
        | "jsonb_path_query_first"
        | "date_trunc"
        | "date_part"
        | "random" => Returns::Scalar,
        "json_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements"
        | "jsonb_array_elements_text" => Returns::Columns(&["value"]),
        "json_each" | "json_each_text" | "jsonb_each" | "jsonb_each_text" => {
            Returns::Columns(&["key", "value"])
        }
        "aclexplode" => Returns::Columns(&["grantor", "grantee", "privilege_type", "is_grantable"]),
        "pg_options_to_table" => Returns::Columns(&["option_name", "option_value"]),
        "pg_partition_ancestors" => Returns::Columns(&["relid"]),
        "pg_partition_tree" => Returns::Columns(&["relid", "parentrelid", "isleaf", "level"]),
        _ => Returns::Unknown,
    }
}

/// Array types whose elements are no rows, by object id: one column each in `unnest`.
pub(super) fn is_plain_array(type_id: u32) -> bool {
    matches!(
        type_id,
        199 | 651 | 1000
            ..=1005
                | 1007
                | 1009
                | 1014
                | 1015
                | 1016
                | 1021
                | 1022
                | 1028
                | 1041
                | 1115
                | 1182
                | 1183
                | 1185
                | 1187
                | 1231
                | 1270
                | 2951
                | 3807
    )
}

/// Functions of one argument that take a row of any table, and so can be written `table.function`.
pub(super) fn takes_any_row(function: &str) -> bool {
    matches!(
        function,
        "row_to_json"
            | "to_json"
            | "to_jsonb"
            | "json_agg"
            | "jsonb_agg"
            | "json_agg_strict"
            | "jsonb_agg_strict"
            | "array_agg"
            | "any_value"
            | "min"
            | "max"
            | "count"
            | "concat"
            | "quote_literal"
            | "quote_nullable"
            | "hash_record"
            | "pg_column_size"
            | "pg_typeof"
            | "json_build_array"
            | "jsonb_build_array"
            | "json_build_object"
            | "jsonb_build_object"
            | "num_nulls"
            | "num_nonnulls"
            | "record_out"
            | "record_send"
            | "first_value"
            | "last_value"
            | "lag"
            | "lead"
            | "mode"
            | "array_in"
            | "row_number"
    )
}

/// Functions that are harmless to call, but whose answer is not made of their arguments alone: they
/// show other sessions' texts, or values that somebody stored in a setting.
pub(super) fn tells_more_than_its_arguments(function: &str) -> bool {
    matches!(
        function,
        "current_setting"
            | "current_query"
            | "pg_stat_get_activity"
            | "pg_stat_get_backend_activity"
            | "pg_cursor"
            | "pg_prepared_statement"
            | "pg_prepared_xact"
            | "pg_show_all_settings"
            | "pg_show_all_file_settings"
            | "pg_event_trigger_ddl_commands"
            | "pg_get_backend_memory_contexts"
            | "lo_get"
            | "loread"
            | "pg_largeobject"
    )
}
