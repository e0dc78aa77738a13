//! Pure. The contract as the compiled descriptors have it, with the comments of the proto file.

use std::collections::BTreeMap;

use maglev_api::v1::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Everything in `maglev.proto`.
pub(crate) struct Contract {
    pub(crate) methods: Vec<Method>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
}

/// One call.
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) output: String,
    /// It answers with a stream.
    pub(crate) streams: bool,
    pub(crate) comment: String,
}

pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) name: String,
    /// Its name in JSON.
    pub(crate) json: String,
    pub(crate) number: i32,
    pub(crate) kind: Kind,
    /// The `oneof` it is one of.
    pub(crate) choice: Option<String>,
    pub(crate) comment: String,
}

/// What a field holds.
pub(crate) enum Kind {
    Scalar(&'static str),
    /// A message or an enumeration.
    Named(String),
    Optional(Box<Kind>),
    List(Box<Kind>),
    Map,
}

pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) values: Vec<Value>,
}

pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) comment: String,
}

/// Comments by the path of what they are about, as `descriptor.proto` numbers it.
struct Comments(BTreeMap<Vec<i32>, String>);

impl Comments {
    fn of(&self, path: &[i32]) -> String {
        self.0.get(path).cloned().unwrap_or_default()
    }
}

/// The numbers of fields in `descriptor.proto`.
const MESSAGE: i32 = 4;
const ENUM: i32 = 5;
const SERVICE: i32 = 6;
/// Of a message its fields, of an enumeration its values, of a service its methods.
const PART: i32 = 2;

impl Contract {
    pub(crate) fn read() -> Contract {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let file = set.file.into_iter().find(|file| file.package() == "maglev.v1").unwrap();
        let comments = comments(&file);
        let index = |index: usize| i32::try_from(index).unwrap();
        let service = &file.service[0];
        Contract {
            methods: service
                .method
                .iter()
                .enumerate()
                .map(|(at, method)| Method {
                    name: method.name().to_owned(),
                    input: last(method.input_type()),
                    output: last(method.output_type()),
                    streams: method.server_streaming(),
                    comment: comments.of(&[SERVICE, 0, PART, index(at)]),
                })
                .collect(),
            messages: file
                .message_type
                .iter()
                .enumerate()
                .map(|(at, message)| read_message(message, &[MESSAGE, index(at)], &comments))
                .collect(),
            enums: file
                .enum_type
                .iter()
                .enumerate()
                .map(|(at, one)| Enum {
                    name: one.name().to_owned(),
                    comment: comments.of(&[ENUM, index(at)]),
                    values: one
                        .value
                        .iter()
                        .enumerate()
                        .map(|(value_at, value)| Value {
                            name: value.name().to_owned(),
                            number: value.number(),
                            comment: comments.of(&[ENUM, index(at), PART, index(value_at)]),
                        })
                        .collect(),
                })
                .collect(),
        }
    }
}

impl Method {
    /// What it does: all that is said of it but who may call it and what can go wrong.
    pub(crate) fn description(&self) -> String {
        self.said(|sentence| !about_roles(sentence) && !about_errors(sentence))
    }

    /// Who may call it.
    pub(crate) fn role(&self) -> String {
        match self.said(about_roles).as_str() {
            "" => "viewer".to_owned(),
            "Needs the admin role." => "admin".to_owned(),
            more => format!("viewer. {more}"),
        }
    }

    /// What is said of gRPC's codes.
    pub(crate) fn errors(&self) -> String {
        self.said(about_errors)
    }

    fn said(&self, wanted: impl Fn(&str) -> bool) -> String {
        sentences(&self.comment).filter(|sentence| wanted(sentence)).collect::<Vec<_>>().join(" ")
    }
}

fn about_roles(sentence: &str) -> bool {
    sentence.contains(" role")
}

fn about_errors(sentence: &str) -> bool {
    const CODES: [&str; 6] = [
        "NOT_FOUND",
        "FAILED_PRECONDITION",
        "INVALID_ARGUMENT",
        "UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
    ];
    CODES.iter().any(|code| sentence.contains(code))
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(". ").map(str::trim)
}

impl Kind {
    pub(crate) fn describe(&self, link: impl Fn(&str) -> String + Copy) -> String {
        match self {
            Kind::Scalar(name) => (*name).to_owned(),
            Kind::Named(name) if name == "Timestamp" || name == "Duration" => {
                format!("google.protobuf.{name}")
            }
            Kind::Named(name) => link(name),
            Kind::Optional(kind) => format!("optional {}", kind.describe(link)),
            Kind::List(kind) => format!("list of {}", kind.describe(link)),
            Kind::Map => "map of string to string".to_owned(),
        }
    }
}

fn comments(file: &FileDescriptorProto) -> Comments {
    let info = file.source_code_info.as_ref().expect("comments are compiled in");
    let located = info.location.iter().map(|location| {
        let text = location.leading_comments().lines().map(str::trim).collect::<Vec<_>>().join(" ");
        (location.path.clone(), text.trim().to_owned())
    });
    Comments(located.collect())
}

fn read_message(message: &DescriptorProto, path: &[i32], comments: &Comments) -> Message {
    let fields = message.field.iter().zip(0..).map(|(field, at)| {
        let choice = field.oneof_index.filter(|_| !field.proto3_optional());
        Field {
            name: field.name().to_owned(),
            json: field.json_name().to_owned(),
            number: field.number(),
            kind: kind(field, message),
            choice: choice
                .map(|choice| message.oneof_decl[usize::try_from(choice).unwrap()].name().to_owned()),
            comment: comments.of(&[path, &[PART, at]].concat()),
        }
    });
    Message { name: message.name().to_owned(), comment: comments.of(path), fields: fields.collect() }
}

fn kind(field: &FieldDescriptorProto, message: &DescriptorProto) -> Kind {
    let one = match field.r#type() {
        Type::String => Kind::Scalar("string"),
        Type::Bool => Kind::Scalar("bool"),
        Type::Uint32 => Kind::Scalar("uint32"),
        Type::Uint64 => Kind::Scalar("uint64"),
        Type::Int32 => Kind::Scalar("int32"),
        Type::Int64 => Kind::Scalar("int64"),
        Type::Double => Kind::Scalar("double"),
        Type::Bytes => Kind::Scalar("bytes"),
        Type::Message | Type::Enum => Kind::Named(last(field.type_name())),
        other => panic!("no word for {other:?}"),
    };
    if field.label() != Label::Repeated {
        return if field.proto3_optional() { Kind::Optional(Box::new(one)) } else { one };
    }
    let is_entry = |nested: &&DescriptorProto| field.type_name().ends_with(&format!(".{}", nested.name()));
    match message.nested_type.iter().find(is_entry) {
        Some(entry) if entry.options.as_ref().is_some_and(|options| options.map_entry()) => Kind::Map,
        Some(_) | None => Kind::List(Box::new(one)),
    }
}

/// The last part of `.maglev.v1.Backend`.
fn last(name: &str) -> String {
    name.rsplit('.').next().unwrap_or_default().to_owned()
}
