//! What somebody is about to store for a carrier, looked at before it is sealed: nobody sees it again afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{assertion, certificate};
use crate::carriers::{CLIENT_CERTIFICATE, CLIENT_KEY, Carrier};

/// One thing that is wrong with a value. It never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueProblem {
    /// The field's name.
    pub field: String,
    /// What is wrong and how to mend it, in words for whoever stores it.
    pub problem: String,
}

/// Everything that can be seen to be wrong with values for this carrier: a private key that does not sign as its file says,
/// a client certificate that cannot be used. Whether fields are missing is not looked at.
pub fn value_problems(carrier: &Carrier, fields: &BTreeMap<String, Zeroizing<String>>) -> Vec<ValueProblem> {
    let given = |name: &str| fields.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty());
    let mut found: Vec<ValueProblem> = fields
        .iter()
        .filter_map(|(name, value)| {
            let problem = assertion::value_problem(carrier.connector.as_ref(), name, value)?;
            Some(ValueProblem { field: name.clone(), problem: problem.to_owned() })
        })
        .collect();
    if carrier.client_certificate {
        let of_tls = certificate::problems(given(CLIENT_CERTIFICATE), given(CLIENT_KEY), Timestamp::now());
        found.extend(of_tls.into_iter().map(|(field, problem)| ValueProblem { field: field.to_owned(), problem }));
    }
    found
}
