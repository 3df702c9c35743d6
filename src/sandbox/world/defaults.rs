//! Values that a world file may leave out.

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn one() -> u64 {
    1
}

pub(super) fn is_one(value: &u64) -> bool {
    *value == 1
}

pub(super) fn one_hour() -> String {
    "PT1H".to_owned()
}

pub(super) fn root_path() -> String {
    "/".to_owned()
}
